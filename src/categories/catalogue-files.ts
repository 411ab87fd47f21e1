/** What the network manager writes in the folder of lists. */
export const CATEGORIES_FILE = 'categories.yaml';
export const CATALOGUE_FILE = 'catalogue.yaml';
