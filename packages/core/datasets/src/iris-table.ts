/** 150 rows of 4 numbers and the class. */
export const table =
  "dVVbbgQhDPvvWUYryAOY+1+skJhAtupfazkmsZNZ/dSHP/rUjzzlQ0/5kc87kZKQPhGaCAfSJlInokB0VvBET5XOv3hq1VldFooqAYejSi4dmf+RVe" +
  "V+9ls1lHuqGtBpCdlTVEMYSA2d8YghFD33R6IfSVNwILdjjCqeWj4pB2dAh0NHwKHg9Ost92d5WBKHUaVp0jc5X67Zj6steib0fPKiK4uccvawJmW5" +
  "8trK8pWOToT+TfB0SMl5RYecqlpKUDApJ3/kj/LWYavSuVGcEPna51O1Jm0pwTfSuTcqp9zSXVC6Av7aVX+LL06HG2K8Oc1PQ4eCzBbiHort4kIUcw" +
  "kcWZyFrJ1uwelANDhsr/tbk2c+k73HtnmL0+wGXYdNhybScQliSJnIdq0Y4t8Nz957XhxCh65codxDx9/ieKvZOxV3uDmurDHXsH5881yZ8NbhLGVF" +
  "zzU6XJyV2Yh+RvKQrer4fDjd9tXT8Sk4qnaHEgkOVI1AunHU3urhz5t6Xnm15KoinRFTbKQHZ1zpUCj3R3G9FZdb0kb5V0Kw97fzPTiMHZPYhD1pDU" +
  "ThWElIQxXBQ69qkekAp4DjG8XXHnqCHRvF8OfsGIVj78XxTbjTUUtQ4+t/30X9ugt3bvYfrrqH80bmnVYkuC5masKf91Gbaxii4Azbx1XljvlVrSq/" +
  "OIXz3Tiu06xn1+nGUezq4pBdScM0+y16fL5iiKBnRs8NXy3PpNpcW7mgSrGrriPQcWXP/55Lox//1fNOCQhZh29U+RfAd957fqHcwfGUx+OulNDZyi" +
  "V87rjK7c/Ky3Vq+EOW4ObQdYOO7D08OoLZW9IpcL4ZIujnbMKL2SU5v3Uoeh7YH8Xryx/FFWwPCzJlVK2rdJ2TRb2cb/jFv+d6wZHYzA7k6GxODee/" +
  "N9y3hbDh/MdnDWT5Q1fPe6O2jl6cgix8LonXX3AqpvgF";
