/** The same person (or device), host and answer within this time, ms, is one navigation: a page is many requests (contract, "A verdict"). */
export const NAVIGATION_MS = 10_000;
