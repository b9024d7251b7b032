// The screens of alerts in one part, out of the first script: it comes when one of them is opened.

export { default as alerts } from '../../ui/alert/AlertsScreen.svelte';
export { default as calendar } from './CalendarScreen.svelte';
export { default as channels } from './ChannelsScreen.svelte';
export { default as ladders } from './LaddersScreen.svelte';
