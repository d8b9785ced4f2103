// A look into the log of a house whose server has ended.
import Database from "better-sqlite3";

/** How many events of each of these kinds there are. */
export function countEvents(file, kinds) {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    const count = db.prepare("SELECT count(*) FROM event WHERE kind = ?").pluck();
    return Object.fromEntries(kinds.map((kind) => [kind, count.get(kind)]));
  } finally {
    db.close();
  }
}
