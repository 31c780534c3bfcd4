// Put the package together in dist/: the modules that phiz's page uses, and the networks with their licences.

import { copyFileSync, cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const here = import.meta.dirname;
const phiz = join(here, "..", "src", "phiz");
const dist = join(here, "dist");

rmSync(dist, { recursive: true, force: true });
cpSync(join(phiz, "serve", "page", "phiz"), dist, { recursive: true });
mkdirSync(join(dist, "models"));
for (const folder of [join(phiz, "models", "weights"), join(phiz, "detect", "weights")]) {
  for (const file of readdirSync(folder)) copyFileSync(join(folder, file), join(dist, "models", file));
}
for (const file of ["LICENSE", "NOTICE"]) copyFileSync(join(here, "..", file), join(here, file));
