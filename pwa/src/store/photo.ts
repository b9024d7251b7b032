// The photos on this phone, as screens use them. A photo lies here, on strict durability, before the
// record that names it is written; it stays until the server has confirmed that it has it, through
// sign-out and change of person. The code behind this is loaded when the first photo is needed.

import type { PhotoValue } from '../core/photo.ts';

/** `thumb` 320 px, `view` 1280 px or more, `whole` all there is. */
export type PhotoSize = 'thumb' | 'view' | 'whole';

/** One photo ready to be kept, and the place in a record that it is for. */
export interface Taken {
  readonly project: string;
  readonly c: string;
  readonly r: string;
  /** The photos field. */
  readonly path: string;
  readonly key: string;
  readonly value: PhotoValue;
  readonly big: ArrayBuffer;
  readonly thumb: ArrayBuffer;
}

/** A document, as a record holds it at `<files field>.<key>`. */
export interface FileValue {
  readonly sha: string;
  readonly name: string;
  readonly bytes: number;
  readonly type: string;
}

/** A document to be kept, and the place in a record that it is for. */
export interface Filed {
  readonly project: string;
  readonly c: string;
  readonly r: string;
  readonly path: string;
  readonly key: string;
  readonly file: Blob;
  readonly name: string;
}

/** A photo that was taken for a record and stands in no value yet: the form was killed in between. */
export interface Unsaved {
  readonly path: string;
  readonly key: string;
  readonly value: PhotoValue;
}

/**
 * `unsaved`: no record names it yet. `record`: its record goes first. `refused`: the server does not
 * take it, `code` says why. `sending`: `sent` bytes are there.
 */
export type PhotoStanding = 'unsaved' | 'record' | 'waiting' | 'sending' | 'refused';

export interface WaitingPhoto {
  readonly sha: string;
  readonly project: string;
  readonly c: string;
  readonly r: string;
  readonly key: string;
  readonly value: PhotoValue | FileValue;
  readonly bytes: number;
  readonly sent: number;
  readonly standing: PhotoStanding;
  readonly code?: string;
}

export interface PhotoSettings {
  /** Longest side that is kept, px. */
  readonly side: number;
  /** Photos go up over Wi-Fi only, or when a person says so. */
  readonly wifiOnly: boolean;
}

export interface PhotoRoom {
  /** Bytes of photos that only this phone has. */
  readonly waiting: number;
  /** Bytes of copies that the server has too: can be fetched again. */
  readonly copies: number;
  /** Of the whole app, where the browser tells. */
  readonly usage: number | null;
  readonly quota: number | null;
}

export const PHOTO_SIDES = [1600, 2048, 3072] as const;

export interface Photos {
  /** On disk when it resolves. Throws Problem `no_space`. */
  add(taken: Taken): Promise<void>;
  /** From this phone, else fetched and kept. Throws Problem: `offline`, `not_found` while it is on its way. */
  picture(project: string, photo: PhotoValue, size: PhotoSize): Promise<Blob>;
  /** A document, whole: it goes up in the same queue, after its record. */
  addFile(filed: Filed): Promise<FileValue>;
  file(project: string, sha: string): Promise<Blob>;
  /** GET with this person's session; not kept. Throws Problem. */
  fetched(path: string): Promise<Blob>;
  /** What was taken for this record is one of this kind: only now it is known which. On disk when it resolves. */
  fileUnder(r: string, c: string): Promise<void>;
  /** Taken off by a person, before the record says so: gone if it was never saved, else it stays for the history. */
  discard(sha: string): Promise<void>;
  unsaved(r: string): Promise<readonly Unsaved[]>;

  /** What the server has not confirmed yet, oldest first. */
  waiting(): Promise<readonly WaitingPhoto[]>;
  /** Every sha that the server is known to have. Grows only. */
  arrived(): ReadonlySet<string>;
  /** Asks the server about shas that are not known to have arrived; tells `photos` watchers of news. */
  ask(project: string, shas: readonly string[]): void;

  settings(): Promise<PhotoSettings>;
  choose(settings: Partial<PhotoSettings>): Promise<void>;
  room(): Promise<PhotoRoom>;
  /** Drops copies that the server has, least recently seen first; answers the bytes won. */
  makeRoom(bytes: number): Promise<number>;
}
