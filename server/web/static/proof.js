// Somebody drops a photo that he has: its SHA-256 is one of those on the page, or none. Nothing is sent.
const input = document.getElementById('file');
const said = document.getElementById('said');
const known = new Set([...document.querySelectorAll('[data-sha]')].map((one) => one.dataset.sha));

input?.addEventListener('change', async () => {
  said.replaceChildren();
  for (const file of input.files) {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
    const sha = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const line = document.createElement('li');
    line.className = known.has(sha) ? 'same' : 'changed';
    line.textContent = `${file.name}: ${known.has(sha) ? input.dataset.same : input.dataset.other} ${sha}`;
    said.append(line);
  }
});
