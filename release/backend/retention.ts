/** How long a version of a state is kept after a newer one has replaced it: a quarter, as long as an audit looks back. */
export const OLD_VERSION_DAYS = 90;
