// Put the package together in dist/: the modules that phiz's page uses, and the networks with their licences.

import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { FILES } from "../src/phiz/serve/page/phiz/index.js";

const here = import.meta.dirname;
const phiz = join(here, "..", "src", "phiz");
const dist = join(here, "dist");

rmSync(dist, { recursive: true, force: true });
cpSync(join(phiz, "serve", "page", "phiz"), dist, { recursive: true });
mkdirSync(join(dist, "models"));
for (const file of [...FILES, "LICENSE"]) {
  const folder = ["models", "detect"].map((room) => join(phiz, room, "weights")).find((at) => existsSync(join(at, file)));
  copyFileSync(join(folder, file), join(dist, "models", file));
}
for (const file of ["LICENSE", "NOTICE"]) copyFileSync(join(here, "..", file), join(here, file));
