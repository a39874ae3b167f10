// SPDX-License-Identifier: Apache-2.0
// A provider of OpenID Connect with new keys at each start: `node provider.mjs PACKAGES PORT CALLBACK`. Everybody is who they say they are;
// the groups of somebody are the part of the name behind a dot. A fourth word keeps what is not the subject out of the ID token.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , packages, port, callback, conforms] = process.argv;
const require = createRequire(`${packages}/package.json`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { default: Provider } = await load("oidc-provider");
const { generateKeyPair, exportJWK } = await load("jose");

const key = async (alg) => ({ ...(await exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey)), alg, use: "sig" });
const client = (id, alg, more) => ({ client_id: id, redirect_uris: [callback], post_logout_redirect_uris: [callback.replace("/auth/oidc/callback", "/sign-in")], id_token_signed_response_alg: alg, ...more });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client("rsa", "RS256", { client_secret: "s3cret:/+&" }),
    client("elliptic", "ES256", { token_endpoint_auth_method: "none" }),
  ],
  jwks: { keys: [await key("RS256"), await key("ES256")] },
  pkce: { required: () => true },
  scopes: ["openid", "profile", "email", "groups"],
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email"], groups: ["groups"] },
  conformIdTokenClaims: conforms !== undefined,
  cookies: { keys: ["a key of the test"] },
  findAccount: (context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id.split(".")[0], email: `${id}@example.org`, groups: id.split(".").slice(1) }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
