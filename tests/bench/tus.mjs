// @tus/server with its own store of files: `node tus.mjs PORT FOLDER`.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const app = createRequire(new URL('../../pwa/package.json', import.meta.url));
const { Server } = app('@tus/server');
const { FileStore } = app('@tus/file-store');

const [port, folder] = process.argv.slice(2);
const tus = new Server({ path: '/api/uploads', datastore: new FileStore({ directory: folder }) });
createServer((request, response) => {
  if (request.url === '/healthz') response.end();
  else tus.handle(request, response);
}).listen(Number(port), '127.0.0.1');
