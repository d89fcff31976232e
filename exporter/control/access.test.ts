import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../lib/user-error.js";
import { type Caller, createAccess } from "./access.js";

const TOKEN = "0123456789abcdef0123456789abcdef";

function caller(parts: Partial<Caller>): Caller {
  return { address: "10.244.0.7", isEncrypted: true, authorization: undefined, ...parts };
}

async function withTokenFile(text: string, use: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skbspan-token-"));
  try {
    const file = join(folder, "token");
    await writeFile(file, text);
    await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("without a token only this machine is served, by whatever name", async () => {
  const access = createAccess(undefined);
  for (const address of ["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1"])
    assert.equal(await access.whyRefused(caller({ address, isEncrypted: false })), undefined, address);
  for (const address of ["10.244.0.7", "::ffff:10.0.0.1", "fe80::1", "128.0.0.1", "::1:127.0.0.1", undefined])
    assert.equal((await access.whyRefused(caller({ address })))?.code, 403, address);
});

test("with a token everybody shows it, from elsewhere over TLS only", async () => {
  await withTokenFile(`${TOKEN}\n`, async (file) => {
    const access = createAccess(file);
    await access.check();
    const authorization = `Bearer ${TOKEN}`;
    const code = async (parts: Partial<Caller>) => (await access.whyRefused(caller(parts)))?.code;
    assert.equal(await code({ authorization }), undefined);
    assert.equal(await code({ authorization: `bearer   ${TOKEN} ` }), undefined);
    assert.equal(await code({ authorization, isEncrypted: false }), 403);
    assert.equal(await code({ authorization, isEncrypted: false, address: "127.0.0.1" }), undefined);
    assert.equal(await code({ address: "127.0.0.1" }), 401);
    for (const wrong of [`Bearer ${TOKEN}0`, `Basic ${TOKEN}`, TOKEN, "Bearer", "", `Bearer ${TOKEN} ${TOKEN}`])
      assert.equal(await code({ authorization: wrong }), 401, wrong);
  });
});

test("a new token counts from the next request on; a file that is gone refuses everybody", async () => {
  await withTokenFile(TOKEN, async (file) => {
    const access = createAccess(file);
    const authorization = `Bearer ${TOKEN}`;
    assert.equal(await access.whyRefused(caller({ authorization })), undefined);
    await writeFile(file, TOKEN.toUpperCase());
    assert.equal((await access.whyRefused(caller({ authorization })))?.code, 401);
    await rm(file);
    assert.equal((await access.whyRefused(caller({ authorization })))?.code, 403);
  });
});

test("a token that is short, empty, odd or not there is named before the agent starts", async () => {
  for (const text of ["", "short", "0123456789abcde", "0123456789 abcdef", "0123456789äbcdefg"])
    await withTokenFile(text, async (file) => {
      await assert.rejects(createAccess(file).check(), (error) => {
        assert.ok(error instanceof UserError);
        assert.ok(error.message.includes(file) && !error.message.includes("abcde"), "the token itself is not shown");
        return true;
      });
    });
  await assert.rejects(
    createAccess("/nowhere/token").check(),
    /Cannot use the token in \/nowhere\/token: there is no such file/,
  );
});
