/** hls.js without subtitles, DRM and alternate audio: half the size, the same types. */
declare module 'hls.js/light' {
  export * from 'hls.js';
  export { default } from 'hls.js';
}
