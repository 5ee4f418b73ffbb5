// Bundles noVNC's RFB class into ../static/dist, with its licences and a manifest of names.
// Nothing here reaches the network: `npm ci` has fetched everything at its pinned version.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const output = join(here, "..", "static", "dist");
const novnc = join(here, "node_modules", "@novnc", "novnc");
const HASH_CHARACTERS = 10;

const version = JSON.parse(await readFile(join(novnc, "package.json"), "utf8")).version;

const result = await build({
  entryPoints: [join(novnc, "core", "rfb.js")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022", // noVNC asks the browser about H.264 with a top-level await
  legalComments: "none", // every licence is in the text beside the bundle
  banner: { js: `/* noVNC ${version}, MPL-2.0: the text is beside this file */` },
  write: false,
});

async function licences() {
  const parts = [
    `noVNC ${version}, unmodified, bundled for browsers.`,
    "Its source: the npm package @novnc/novnc of that version; https://github.com/novnc/noVNC.",
  ];
  for (const name of ["LICENSE.txt", "AUTHORS", join("vendor", "pako", "LICENSE")]) {
    parts.push(`--- ${name} ---`, (await readFile(join(novnc, name), "utf8")).trim());
  }
  return parts.join("\n\n") + "\n";
}

function hashed(name, bytes) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, HASH_CHARACTERS);
  return name.replace(".", `.${hash}.`);
}

const files = {
  "novnc.js": result.outputFiles[0].contents,
  "novnc-licence.txt": Buffer.from(await licences()),
};

await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
const manifest = {};
for (const [name, bytes] of Object.entries(files)) {
  manifest[name] = hashed(name, bytes);
  await writeFile(join(output, manifest[name]), bytes);
}
await writeFile(join(output, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
for (const [name, actual] of Object.entries(manifest)) {
  console.log(`${name} -> ${actual} (${files[name].length} bytes)`);
}
