// Photos in memory: enough of the album's promise for a screen to stand on.

import type { PhotoValue } from '../../../pwa/src/core/photo.ts';
import { Problem } from '../../../pwa/src/core/problem.ts';
import type {
  Filed,
  FileValue,
  PhotoRoom,
  PhotoSettings,
  Photos,
  Taken,
  Unsaved,
  WaitingPhoto,
} from '../../../pwa/src/store/photo.ts';

export class FakePhotos implements Photos {
  readonly taken: Taken[] = [];
  readonly there = new Set<string>();
  readonly asked: string[] = [];
  lost: readonly Unsaved[] = [];
  chosen: PhotoSettings = { side: 2048, wifiOnly: false };
  waits: readonly WaitingPhoto[] = [];

  async add(taken: Taken): Promise<void> {
    this.taken.push(taken);
  }
  async picture(_project: string, photo: PhotoValue): Promise<Blob> {
    const own = this.taken.find(({ value }) => value.sha === photo.sha);
    if (!own) throw new Problem({ code: 'offline', do: 'retry' });
    return new Blob([own.thumb], { type: 'image/jpeg' });
  }
  async addFile({ file, name }: Filed): Promise<FileValue> {
    return { sha: 'f'.repeat(64), name, bytes: file.size, type: file.type };
  }
  async file(): Promise<Blob> {
    return new Blob([]);
  }
  async fetched(): Promise<Blob> {
    return new Blob([]);
  }
  readonly filed: (readonly [string, string])[] = [];
  async fileUnder(r: string, c: string): Promise<void> {
    this.filed.push([r, c]);
  }
  async discard(sha: string): Promise<void> {
    this.taken.splice(0, this.taken.length, ...this.taken.filter(({ value }) => value.sha !== sha));
  }
  async unsaved(): Promise<readonly Unsaved[]> {
    return this.lost;
  }
  async waiting(): Promise<readonly WaitingPhoto[]> {
    return this.waits;
  }
  arrived(): ReadonlySet<string> {
    return this.there;
  }
  ask(_project: string, shas: readonly string[]): void {
    this.asked.push(...shas);
  }
  async settings(): Promise<PhotoSettings> {
    return this.chosen;
  }
  async choose(settings: Partial<PhotoSettings>): Promise<void> {
    this.chosen = { ...this.chosen, ...settings };
  }
  async room(): Promise<PhotoRoom> {
    return { waiting: 0, copies: 0, usage: 1e6, quota: 1e9 };
  }
  async makeRoom(): Promise<number> {
    return 0;
  }
}
