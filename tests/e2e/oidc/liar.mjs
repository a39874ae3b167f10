// SPDX-License-Identifier: Apache-2.0
// A provider that signs whatever it is told to: `node liar.mjs PACKAGES PORT`. POST /next {claims, alg, key} says what the next id_token is, and
// `userinfo` what that answers, `is_userinfo_away` that it does not.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , packages, port] = process.argv;
const require = createRequire(`${packages}/package.json`);
const { generateKeyPair, exportJWK, SignJWT } = await import(pathToFileURL(require.resolve("jose")).href);

const issuer = `http://127.0.0.1:${port}`;
const good = await generateKeyPair("RS256", { extractable: true });
const other = await generateKeyPair("RS256", { extractable: true });
const jwk = { ...(await exportJWK(good.publicKey)), kid: "good", use: "sig" };
const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
let next = {};

async function token() {
  const { claims, alg = "RS256", key = "good" } = next;
  if (alg === "none") return `${base64url({ alg })}.${base64url(claims)}.`;
  const header = { alg, kid: key === "unknown" ? "unknown" : "good" };
  // HS256 by the public key, which everybody has: what a careless reader takes for a signature
  if (alg === "HS256") return new SignJWT(claims).setProtectedHeader(header).sign(Buffer.from(JSON.stringify(jwk)));
  return new SignJWT(claims).setProtectedHeader(header).sign(key === "good" ? good.privateKey : other.privateKey);
}

const ANSWERS = {
  "/.well-known/openid-configuration": async () => ({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, userinfo_endpoint: `${issuer}/userinfo` }),
  "/jwks": async () => ({ keys: [jwk] }),
  "/token": async () => (next.claims ? { access_token: "x", token_type: "Bearer", id_token: await token() } : { access_token: "x", token_type: "Bearer" }),
  "/userinfo": async (_, headers) => (next.is_userinfo_away ? undefined : headers.authorization === "Bearer x" ? (next.userinfo ?? { sub: next.claims.sub }) : {}),
  "/next": async (body) => (next = JSON.parse(body)),
};

createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  const told = await ANSWERS[request.url]?.(body, request.headers);
  response.writeHead(told === undefined ? 404 : 200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(told ?? {}));
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
