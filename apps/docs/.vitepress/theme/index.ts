import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import "../../dist/generated/plots.css";
import "./style.css";
import "./content.css";
import "./home.css";
import Benchmark from "./components/Benchmark.vue";
import MethodList from "./components/MethodList.vue";
import Playground from "./components/Playground.vue";

const theme: Theme = {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component("Benchmark", Benchmark);
    app.component("MethodList", MethodList);
    app.component("Playground", Playground);
  },
};

// biome-ignore lint/style/noDefaultExport: VitePress reads the default export.
export default theme;
