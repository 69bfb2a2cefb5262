// The tools for other agents, called by the protocol's own SDK for TypeScript: over standard input and output, and over HTTP.
//
// usage: node mcp_check.mjs PROGRAM   (needs @modelcontextprotocol/sdk of npm below target/mcp)

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createInterface } from "node:readline";

const sdk = createRequire(resolve("target/mcp/node_modules/x.js"));
const load = (path) => import(pathToFileURL(sdk.resolve(`@modelcontextprotocol/sdk/${path}`)).href);
const { Client } = await load("client/index.js");
const { StdioClientTransport } = await load("client/stdio.js");
const { StreamableHTTPClientTransport } = await load("client/streamableHttp.js");

const program = resolve(process.argv[2]);
const TOKEN = "b5e4c1a09d8f7263514a3b2c1d0e9f88";
const SECRET = { secret: "prod/orders-db" };
const folder = mkdtempSync(join(tmpdir(), "mcp-check-"));

const simulator = spawn(program, ["simulate", "--scenario", "role_detached_policy"], { stdio: ["ignore", "pipe", "inherit"] });
const [address] = await new Promise((told) => createInterface(simulator.stdout).once("line", (line) => told([line.trim()])));
const env = {
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  AWS_ENDPOINT_URL: address,
  AWS_REGION: "eu-west-1",
  AWS_ACCESS_KEY_ID: "AKIDSIMULATED",
  AWS_SECRET_ACCESS_KEY: "simulated",
  AWS_EC2_METADATA_DISABLED: "true",
  AGENT_TOKEN: TOKEN,
};

const timeless = (text) => text.replace(/"(investigation_id|duration_ms|now|from|to)": ("[^"]*"|\d+)/g, '"$1": …');
const connected = async (transport) => {
  const client = new Client({ name: "a check", version: "1" });
  await client.connect(transport);
  return client;
};

/** What every client sees. The SDK itself holds each answer against the tool's output schema. */
async function walk(client, atOnce) {
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name).sort(), [
    "diagnose_secret",
    "evidence",
    "explain_cause",
    "explain_log_lines",
    "forecast",
  ]);
  assert.match(client.getInstructions(), /follow no instruction/);
  const steps = [];
  const onprogress = ({ progress, message }) => steps.push([progress, message]);
  const report = await client.callTool({ name: "diagnose_secret", arguments: SECRET }, undefined, { onprogress });
  assert.equal(report.structuredContent.findings[0].cause, "iam_identity_policy_missing");
  assert.deepEqual(JSON.parse(report.content[0].text), report.structuredContent);
  assert.ok(steps.length >= 9 && steps.every(([, message]) => message.startsWith("step ")), JSON.stringify(steps));
  const evidence = await client.callTool({ name: "evidence", arguments: { ...SECRET, step: 5 } });
  assert.equal(evidence.structuredContent.step.number, 5);
  const wrong = await client.callTool({ name: "diagnose_secret", arguments: { ...SECRET, windw: "7d" } });
  assert.ok(wrong.isError && wrong.content[0].text.includes("did you mean `window`?"), JSON.stringify(wrong));
  const numbers = Array.from({ length: atOnce }, (_, number) => number);
  const call = (number) => client.callTool({ name: "explain_log_lines", arguments: { lines: [`line ${number}`] } });
  const answers = await Promise.all(numbers.map(call));
  answers.forEach((answer, number) => assert.equal(answer.structuredContent.lines[0].text, `line ${number}`));
  const given = new AbortController();
  const call_off = client.callTool({ name: "forecast", arguments: SECRET }, undefined, { signal: given.signal });
  given.abort("no longer needed");
  await assert.rejects(call_off);
  return report.content[0].text;
}

try {
  const arguments_ = ["diagnose", "prod/orders-db", "--format", "json"];
  const printed = execFileSync(program, arguments_, { env, encoding: "utf8" });
  const own = await connected(new StdioClientTransport({ command: program, args: ["mcp"], env }));
  assert.equal(timeless(await walk(own, 100)), timeless(printed));
  await own.close();
  console.log("stdio: listed, answered as printed, a hundred at once");

  const config = join(folder, "config.toml");
  const rule = 'platform = "mcp"\nworkspace = "local"\nchannels = ["mcp"]\nusers = ["typescript"]\n';
  writeFileSync(
    config,
    `default_region = "eu-west-1"\n[http]\nlisten = "127.0.0.1:0"\n[store]\npath = "${join(folder, "store.db")}"\n` +
      `[mcp]\nhosts = ["127.0.0.1"]\n[[mcp.agent]]\nname = "typescript"\ntoken = "env:AGENT_TOKEN"\n[[allow]]\n${rule}`,
  );
  const bot = spawn(program, ["serve", "--config", config], { env, stdio: ["ignore", "ignore", "pipe"] });
  try {
    const url = await new Promise((told, failed) => {
      createInterface(bot.stderr).on("line", (line) => {
        const found = /listens on (http:\/\/\S+)/.exec(line);
        if (found) told(new URL(`${found[1]}/mcp`));
      });
      bot.once("exit", () => failed(new Error("it does not listen")));
    });
    await assert.rejects(connected(new StreamableHTTPClientTransport(url)));
    const requestInit = { headers: { Authorization: `Bearer ${TOKEN}` } };
    const transport = new StreamableHTTPClientTransport(url, { requestInit });
    const client = await connected(transport);
    await walk(client, 12);
    await transport.terminateSession();
    await client.close();
    console.log("HTTP: refused without a token, listed and answered with it");
  } finally {
    bot.kill();
  }
} finally {
  simulator.kill();
  rmSync(folder, { recursive: true, force: true });
}
