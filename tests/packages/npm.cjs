// Packs a folder with each of the zip libraries of npm, as their own documentation does it: node npm.cjs FOLDER OUTDIR
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { pipeline } = require("node:stream/promises");

const [folder, out] = process.argv.slice(2);
const files = fs
  .readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
  .sort();
const body = (name) => fs.readFileSync(path.join(folder, name));
const target = (name) => path.join(out, `npm-${name}.zip`);

const libraries = {
  async archiver() {
    const archiver = require("archiver");
    const create = archiver.ZipArchive ? () => new archiver.ZipArchive() : () => archiver("zip");
    const archive = create();
    const written = pipeline(archive, fs.createWriteStream(target("archiver")));
    archive.directory(folder, false);
    await archive.finalize();
    await written;
  },
  async "adm-zip"() {
    const AdmZip = require("adm-zip");
    const zip = new AdmZip();
    zip.addLocalFolder(folder);
    zip.writeZip(target("adm-zip"));
  },
  async fflate() {
    const { zipSync } = require("fflate");
    const tree = Object.fromEntries(files.map((name) => [name, new Uint8Array(body(name))]));
    fs.writeFileSync(target("fflate"), zipSync(tree));
  },
  async jszip() {
    const JSZip = require("jszip");
    const zip = new JSZip();
    files.forEach((name) => zip.file(name, body(name)));
    fs.writeFileSync(target("jszip"), await zip.generateAsync({ type: "nodebuffer", compression: "DEFLATE" }));
  },
  async "jszip-stream"() {
    const JSZip = require("jszip");
    const zip = new JSZip();
    files.forEach((name) => zip.file(name, body(name)));
    await pipeline(zip.generateNodeStream({ streamFiles: true }), fs.createWriteStream(target("jszip-stream")));
  },
  async yazl() {
    const yazl = require("yazl");
    const zip = new yazl.ZipFile();
    files.forEach((name) => zip.addFile(path.join(folder, name), name));
    zip.end();
    await pipeline(zip.outputStream, fs.createWriteStream(target("yazl")));
  },
  async "zip.js"() {
    const { ZipWriter, Uint8ArrayWriter, Uint8ArrayReader } = require("@zip.js/zip.js");
    const writer = new ZipWriter(new Uint8ArrayWriter());
    for (const name of files) await writer.add(name, new Uint8ArrayReader(new Uint8Array(body(name))));
    fs.writeFileSync(target("zip.js"), await writer.close());
  },
};

(async () => {
  for (const [name, pack] of Object.entries(libraries)) {
    await pack();
    console.log(name);
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
