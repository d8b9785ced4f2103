import type { ItemCategory } from "@1password/sdk";

/** A category that a new item can be made of from one value. */
export interface Category {
  /** As 1Password's SDK names it. */
  readonly sdk: `${ItemCategory}`;
  /** Id and title of the field that takes the value; `notes` are kept apart from fields. */
  readonly field: "password" | "credential" | "notes";
}

/**
 * What `write.category` may be. The others want several values, a file or a key of a certain form: one value does not
 * make a passport.
 */
export const CATEGORY_NAMES = ["login", "password", "apiCredentials", "secureNote", "database", "server"] as const;
/** One of them. */
export type CategoryName = (typeof CATEGORY_NAMES)[number];

/** What each of them makes. */
export const CATEGORIES = {
  login: { sdk: "Login", field: "password" },
  password: { sdk: "Password", field: "password" },
  apiCredentials: { sdk: "ApiCredentials", field: "credential" },
  secureNote: { sdk: "SecureNote", field: "notes" },
  database: { sdk: "Database", field: "password" },
  server: { sdk: "Server", field: "password" },
} as const satisfies Record<CategoryName, Category>;

/** Our spelling of what may be the SDK's; anything else as it is. */
export function spelledOurWay(written: unknown): unknown {
  return CATEGORY_NAMES.find((name) => CATEGORIES[name].sdk === written) ?? written;
}

/**
 * The field a person means by an item's secret, by its id, where several are concealed or none is. From the templates of
 * the op command.
 */
const PRIMARY: Partial<Record<`${ItemCategory}`, string>> = {
  Login: "password",
  Password: "password",
  ApiCredentials: "credential",
  Database: "password",
  Server: "password",
  Email: "pop_password",
  Router: "wireless_password",
  CryptoWallet: "recoveryPhrase",
  CreditCard: "ccnum",
  BankAccount: "accountNo",
  SoftwareLicense: "reg_code",
  Membership: "membership_no",
  Rewards: "membership_no",
  Passport: "number",
  DriverLicense: "number",
  SocialSecurityNumber: "number",
  SshKey: "private_key",
  SecureNote: "notesPlain",
};

/** Id of the primary field of items of this category, if it has one. */
export function primaryOf(category: `${ItemCategory}`): string | undefined {
  return PRIMARY[category];
}
