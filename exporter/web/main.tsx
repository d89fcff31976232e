import { render } from "preact";
import "./page.css";
import { App } from "./view/app.js";

const page = document.getElementById("page");
if (page !== null) render(<App />, page);
