// A plan opened: its file as the server has rendered it, asked again while that goes on, and its page kept
// on this phone. Ends with the screen that made it.

import { Problem, type Shown } from '../../store/phone.ts';
import type { Site } from '../../ui/site.svelte.ts';
import { PLAN } from './declared.generated.ts';
import type { LoadTile } from './leaflet.ts';
import type { PageOfPlan, PlanFile } from './page.ts';
import { fileOf } from './plan.ts';
import { type KeepsOn, openTiles, type Tiles } from './tiles.ts';

const AGAIN_MS = 1500;
const PAGES_KEPT_MAX = 12;

export class PlanView {
  readonly #site: Site;
  readonly #tiles: Promise<Tiles>;
  #sha = '';
  #again: ReturnType<typeof setTimeout> | undefined;
  #keeping: KeepsOn | null = null;
  #isClosed = false;
  #hasBrokenOff = false;
  file: PlanFile | null = $state.raw(null);
  /** Code of what went wrong: `offline` where this phone does not have the plan. */
  trouble: string | null = $state(null);
  /** Share of the page on this phone, 0 to 1; null until known. */
  kept: number | null = $state(null);
  number = $state(1);

  constructor(site: Site) {
    this.#site = site;
    this.#tiles = openTiles(site);
  }

  get page(): PageOfPlan | undefined {
    const page = this.file?.pages[this.number - 1];
    return page?.ready ? page : undefined;
  }

  readonly load: LoadTile = async (z, x, y) => (await this.#tiles).tile(this.#sha, this.number, z, x, y);

  async open(plan: Shown, number = 1): Promise<void> {
    this.#sha = fileOf(plan.values)?.sha ?? '';
    this.file = null;
    await this.turnTo(number);
  }

  async turnTo(number: number): Promise<void> {
    this.#keeping?.stop();
    this.kept = null;
    this.number = number;
    await this.#ask();
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#again);
    const sha = this.#sha;
    if (sha === '' || this.#isClosed) return;
    try {
      const file = await (await this.#tiles).file(sha);
      if (sha !== this.#sha || this.#isClosed) return;
      this.file = file;
      this.trouble = null;
      if (this.number > Math.max(1, file.pages.length)) this.number = 1;
      if (this.page && this.kept === null) this.#keep();
      if (file.state !== 'ready' && file.state !== 'refused') this.#later();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (sha !== this.#sha || this.#isClosed) return;
      this.trouble = problem.code;
      this.#later();
    }
  }

  #later(): void {
    this.#again = setTimeout(() => void this.#ask(), AGAIN_MS * (this.trouble === null ? 1 : 4));
  }

  /** A network is there again. */
  again(): void {
    if (this.#hasBrokenOff) this.#keep();
  }

  #keep(): void {
    this.#hasBrokenOff = false;
    const { page, number } = this;
    if (!page) return;
    const sha = this.#sha;
    this.kept ??= 0;
    void this.#tiles.then((tiles) => {
      if (this.#isClosed || sha !== this.#sha || number !== this.number) return;
      const told = (share: number): void => {
        if (sha === this.#sha && number === this.number) this.kept = share;
      };
      this.#keeping = tiles.keepPage(sha, page, number, told);
      const others = (): Promise<void> => this.#keepOthers(tiles, sha, number);
      this.#keeping.done.then(others).catch((problem: unknown) => {
        this.#hasBrokenOff = true;
        if (!(problem instanceof Problem) && !this.#isClosed) throw problem;
      });
    });
  }

  /** Then the other pages of a plan that is no whole book. */
  async #keepOthers(tiles: Tiles, sha: string, shown: number): Promise<void> {
    const pages = this.file?.pages ?? [];
    if (pages.length > PAGES_KEPT_MAX) return;
    for (const [i, page] of pages.entries()) {
      if (this.#isClosed || sha !== this.#sha || shown !== this.number) return;
      if (i + 1 === shown || !page.ready) continue;
      this.#keeping = tiles.keepPage(sha, page, i + 1, () => undefined);
      await this.#keeping.done;
    }
  }

  /** What this person no longer sees goes from his phone. */
  async tidy(): Promise<void> {
    const { phone, isFetchingFirst } = this.#site;
    if (isFetchingFirst) return;
    const plans = await Promise.all(phone.projects.map(({ id }) => phone.list(id, PLAN)));
    const shas = plans.flat().map(({ values }) => fileOf(values)?.sha ?? '');
    await (await this.#tiles).tidy(new Set(shas));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#again);
    this.#keeping?.stop();
    void this.#tiles.then((tiles) => tiles.close());
  }
}
