// Screens that are opened now and then: named here, out of the first script, each loaded when it is opened.

export const outbox = () => import('./screens/Outbox.svelte');
export const photos = () => import('./photo/GalleryScreen.svelte');
export const attention = () => import('./screens/Attention.svelte');
export const conflict = () => import('./screens/Conflict.svelte');
export const settings = () => import('./screens/Settings.svelte');
export const devices = () => import('./screens/Devices.svelte');
export const password = () => import('./screens/Password.svelte');
export const invites = () => import('./screens/Invites.svelte');
export const refused = () => import('./screens/Refused.svelte');
export const team = () => import('./screens/Team.svelte');
export const teams = () => import('./screens/Teams.svelte');
export const site = () => import('./screens/SiteSettings.svelte');
export const places = () => import('./screens/Places.svelte');
export const about = () => import('./screens/About.svelte');
export const drafts = () => import('./screens/Drafts.svelte');
export const calendar = () => import('./generic/CalendarScreen.svelte');
export const office = () => import('./office/OfficeScreen.svelte');
export const papers = () => import('./screens/Papers.svelte');
