export {
  type Dense,
  type DigitsOdeParameters,
  type DigitsSdeParameters,
  digitImages,
  digitsOde,
  digitsSde,
  type Effort,
  type Images,
  type Outcome,
} from "./digits.js";
