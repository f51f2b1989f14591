/** Sent as the User-Agent; equal to package.json's. @module */
export const VERSION = '0.1.0';
