// Runs the `main` of a program for wasm32-unknown-unknown. Its host offers nothing: a call of an import ends it.
import { readFile } from "node:fs/promises";

const refuse = (what) => () => {
    throw new Error(`${what} was called`);
};
const each = (make) => new Proxy({}, { get: (_, name) => make(name) });
const imports = each((module) => each((name) => refuse(`${module}.${name}`)));

const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), imports);
process.exitCode = instance.exports.main(0, 0);
