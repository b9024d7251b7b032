// What the album asks the server: which photos have arrived, and their pictures (P10).

import type { PhotoServer } from '../store/album.ts';
import type { Net } from './net.ts';

export function photoServer(net: Net): PhotoServer {
  return {
    async have(project, shas) {
      return (await net.call<{ have: readonly string[] }>('POST', '/api/photos/have', { project, shas }))
        .have;
    },
    fetch(_project, sha, width) {
      return net.bytes(`/api/photos/${sha}${width === null ? '' : `?w=${width}`}`);
    },
  };
}
