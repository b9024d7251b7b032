// What the album asks the server: which photos have arrived, their pictures, documents (P10).

import type { Have, PhotoServer } from '../store/album.ts';
import type { Net } from './net.ts';

export function photoServer(net: Net): PhotoServer {
  return {
    have: (project, shas) => net.call<Have>('POST', '/api/photos/have', { project, shas }),
    bytes: (path) => net.bytes(path),
    fetch: (_project, sha, width) => net.bytes(`/api/photos/${sha}${width === null ? '' : `?w=${width}`}`),
  };
}
