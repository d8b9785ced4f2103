/** How to use the tools, for a model that may see nothing else of them. Under 2 KB. */
export const INSTRUCTIONS = `agent-vault hands out secrets (passwords, API keys, tokens, connection strings) from the user's own vaults. A person approves each request on their phone or computer; you never need to ask the user to paste a secret.

Reading:
1. list_secrets shows which names exist, by vault. It asks nobody.
2. get_secret (one) or get_secrets (several of one vault, one approval) with vault, name(s) and a specific, honest reason, which the person reads before deciding. Where secrets have fields, get_secret takes field or fields (["*"]: all).
3. The call waits for the person. If the result says "pending", call the same tool again with the same arguments: that joins the open request, nobody is asked twice. Tell the user what waits for whom, hand them the link if the result holds one (only they can approve there), and keep calling until it is answered. Some vaults have approvers of their own: "pending" may then last hours, so call again now and then.
4. An approval may stay open for a while; during it the same secrets come at once.

Writing: set_secret / set_secrets, if offered, save credentials you generated, after approval, in vaults marked writable. Never put a value into a name or a reason, nor print it in chat.

Answers: the first content block of get_secret is exactly the value. Every result carries _meta "agent-vault/status": "ok", "pending" or an error code.
- denied: do not ask again; ask the user what to do instead.
- ask_differently: follow the person's note and ask accordingly.
- expired: nobody answered; ask again when the user is there.
- any other error says in its second line what to do.

Use a value only for the stated reason. Do not echo it, log it, or write it to files; prefer passing it to a command through its environment.`;
