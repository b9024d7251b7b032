// Who may do what, and who may see what (A4, A5).

export interface Actor {
  readonly person: string;
  readonly device: string;
  readonly roles: readonly string[];
  readonly teams: readonly string[];
  /** person → teams in this project */
  readonly teamsOf: Readonly<Record<string, readonly string[]>>;
}
