// The screens of safety in one part, out of the first script: it comes when one of them is opened.

export { default as board } from './BoardScreen.svelte';
export { default as broadcast } from './BroadcastScreen.svelte';
export { default as call } from './CallScreen.svelte';
export { default as hazard } from './HazardScreen.svelte';
export { default as report } from './ReportScreen.svelte';
