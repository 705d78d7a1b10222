// node-oidc-provider over HTTPS: `node oidc_provider_server.mjs CERTIFICATE KEY NODE_MODULES`.
// The client is taken from TEST_CLIENT_ID, TEST_CLIENT_SECRET and TEST_SCOPE. The issuer is printed once it listens.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [certificate, key, packages] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(join(packages, 'oidc-provider/lib/index.js')));
const { TEST_CLIENT_ID, TEST_CLIENT_SECRET, TEST_SCOPE } = process.env;
const PATH = '/oidc'; // MSAL's oidc_authority needs a path

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}${PATH}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: TEST_CLIENT_ID,
      client_secret: TEST_CLIENT_SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: TEST_SCOPE,
      token_endpoint_auth_method: 'client_secret_post',
    }],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    scopes: [TEST_SCOPE],
    ttl: { ClientCredentials: 600 },
  });
  provider.on('grant.error', (context, error) => console.log('refused:', error.message, error.error_description));
  provider.on('server_error', (context, error) => console.log('server error:', error.stack));
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith(`${PATH}/`)) {
      response.writeHead(404).end();
      return;
    }
    request.originalUrl = request.url; // how a mounted provider learns its own URLs
    request.url = request.url.slice(PATH.length);
    answer(request, response);
  });
  console.log(`listening at ${issuer}`);
});
