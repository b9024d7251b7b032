// Handing photos on: the phone's own share sheet where there is one, else files to keep.

export async function handOn(files: readonly File[], title: string): Promise<'shared' | 'saved' | 'stopped'> {
  const data: ShareData = { files: [...files], title };
  if (navigator.canShare?.(data)) {
    try {
      await navigator.share(data);
      return 'shared';
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return 'stopped';
    }
  }
  for (const file of files) save(file);
  return 'saved';
}

export function save(file: File): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
