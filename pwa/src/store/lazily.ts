// A part of the app that is loaded when it is first needed. One that could not be loaded (the first
// visit broke off) is asked for again the next time.

export function lazily<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | null = null;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = null;
      throw error;
    });
    return loaded;
  };
}
