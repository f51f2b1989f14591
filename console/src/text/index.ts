/**
 * Every word of the console. A translation is one more object of the type `Texts`; what is missing in it does not compile.
 * Sentences with something in them are functions, so that a language can order and inflect as it must.
 */
import { en } from './en';

export type Texts = typeof en;

export const t: Texts = en;
export const locale = 'en';
