// An OpenID Connect provider: oidc-provider, certified by the OpenID Foundation, in a process.
//
//   node server.mjs '{"port", "issuer", "client": {…}, "users": {login: password}}'
//
// `client` is what OpenID Connect Dynamic Registration 1.0 (2) calls client metadata. It listens on
// loopback, prints "ready", and forgets everything at its end. Ours are its pages, for those it
// comes with fetch a font from elsewhere, and the consent, which this client needs none of.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const given = JSON.parse(process.argv[2]);

const provider = new Provider(given.issuer, {
  clients: [given.client],
  cookies: { keys: [randomBytes(32).toString('hex')] },
  jwks: { keys: [key('rsa', { modulusLength: 2048 }), key('ec', { namedCurve: 'P-256' })] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'] },
  // of the profile, the ID token holds nothing: clients ask the userinfo endpoint (Core 5.4)
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      logoutSource: (ctx, form) => {
        ctx.body = page('Sign out?', `${form}
          <button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>
          <button form="op.logoutForm">No, stay signed in</button>`);
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = page('Signed out');
      },
    },
  },
  pkce: { required: () => true },
  interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
  findAccount: (_ctx, login) => ({
    accountId: login,
    claims: () => ({ sub: login, name: `N. ${login}`, preferred_username: login }),
  }),
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    if (known) return provider.Grant.find(known);
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
  // its own refuses loopback, where the client of a test is
  fetch: (address, { dispatcher: _, ...options }) => fetch(address, options),
});

// exported at once: `export` of a key made before waits for ever, now and then, on Node 20
function key(kind, options) {
  const encoding = { publicKeyEncoding: { format: 'jwk' }, privateKeyEncoding: { format: 'jwk' } };
  return { ...generateKeyPairSync(kind, { ...options, ...encoding }).privateKey, use: 'sig' };
}

function page(title, content = '') {
  return `<!DOCTYPE html><title>${title}</title><h1>${title}</h1>${content}`;
}

function form(trouble) {
  return page('Provider', `<p role="alert">${trouble}</p><form method="post">
    <input name="username"><input name="password" type="password"><button>Sign in</button></form>`);
}

async function typed(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return new URLSearchParams(Buffer.concat(pieces).toString());
}

async function signIn(request, response) {
  let trouble = '';
  if (request.method === 'POST') {
    const fields = await typed(request);
    const login = fields.get('username');
    if (Object.hasOwn(given.users, login) && given.users[login] === fields.get('password')) {
      await provider.interactionFinished(request, response, { login: { accountId: login } });
      return;
    }
    trouble = 'Wrong.';
  }
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(form(trouble));
}

const answer = provider.callback();

createServer((request, response) => {
  if (!request.url.startsWith('/sign-in/')) {
    answer(request, response);
    return;
  }
  signIn(request, response).catch((error) => {
    response.statusCode = 400;
    response.end(error.message);
  });
}).listen(given.port, '127.0.0.1', () => console.log('ready'));
