// An upload with tus-js-client as a phone does it: `node send.mjs <options as JSON>`. Says how far it is, a
// line each, and at the end what became of it. Run again with the same `store` it goes on where it was.
import { createReadStream, statSync } from 'node:fs';
import { createRequire } from 'node:module';

const app = createRequire(new URL('../../../pwa/package.json', import.meta.url));
const tus = app('tus-js-client');

const { url, cookie, file, store, metadata, chunk, withUpload } = JSON.parse(process.argv[2]);
const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

const upload = new tus.Upload(createReadStream(file), {
  endpoint: `${url}/api/uploads`,
  headers: { Cookie: cookie, 'X-Requested-With': 'gongbu' },
  uploadSize: statSync(file).size,
  metadata,
  chunkSize: chunk ?? 1024 * 1024 * 1024,
  uploadDataDuringCreation: withUpload ?? false,
  storeFingerprintForResuming: true,
  urlStorage: new tus.FileUrlStorage(store),
  fingerprint: async () => metadata.sha256,
  retryDelays: [50, 100, 200, 400, 400, 400, 800, 800, 800, 800, 1600, 1600],
  onProgress: (sent, total) => say({ sent, total }),
  onAfterResponse: (request, response) => say({ did: request.getMethod(), status: response.getStatus() }),
  onError: (error) => {
    say({ failed: error.message, status: error.originalResponse?.getStatus() ?? null, body: error.originalResponse?.getBody() });
    process.exit(1);
  },
  onSuccess: () => {
    say({ done: upload.url });
    process.exit(0);
  },
});

const before = await upload.findPreviousUploads();
if (before.length > 0) {
  upload.resumeFromPreviousUpload(before[0]);
  say({ resumes: before[0].uploadUrl });
}
upload.start();
