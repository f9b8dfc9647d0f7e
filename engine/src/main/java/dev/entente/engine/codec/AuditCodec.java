// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.codec;

import dev.entente.core.causality.HybridTime;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.engine.AuditEntry;
import dev.entente.engine.Hashes;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Audit entries as bytes, format 1: the body, then the hash over the previous entry's hash and the
 * body. What an erased entry said is not there any more; the hash over it is still, so that the
 * chain goes on.
 */
public final class AuditCodec {
  public static final int HASH_BYTES = 32;
  private static final int FORMAT = 1;

  /** Of an entry of which only its place is left. */
  private static final int FORMAT_ERASED = 2;

  private AuditCodec() {}

  public static byte[] body(AuditEntry entry) {
    return body(FORMAT, entry);
  }

  /**
   * What is left of an entry that is erased: its number, time, tenant and action, and of which
   * version it spoke.
   *
   * @param stored the entry as it was
   */
  public static byte[] erased(byte[] stored) {
    AuditEntry was = fromBytes(stored);
    Map<String, Json> left = new TreeMap<>();
    left.put("erased", Json.of(true));
    if (was.detail() instanceof JsonObject detail) {
      for (String name : List.of("position", "version")) {
        if (!detail.get(name).isAbsent()) {
          left.put(name, detail.get(name));
        }
      }
    }
    AuditEntry rest =
        new AuditEntry(
            was.sequence(), was.time(), was.tenant(), "", was.action(), "", JsonObject.of(left));
    byte[] hash = Arrays.copyOfRange(stored, stored.length - HASH_BYTES, stored.length);
    return Keys.with(body(FORMAT_ERASED, rest), hash);
  }

  /** Whether what an entry said was erased. */
  public static boolean isErased(byte[] stored) {
    return stored.length > 0 && stored[0] == FORMAT_ERASED;
  }

  private static byte[] body(int format, AuditEntry entry) {
    ByteWriter out = new ByteWriter();
    out.u8(format).varint(entry.sequence()).varint(entry.time().packed());
    out.text(entry.tenant()).text(entry.actor()).text(entry.action()).text(entry.subject());
    JsonCodec.write(out, entry.detail());
    return out.toBytes();
  }

  public static AuditEntry fromBytes(byte[] stored) {
    ByteReader in = new ByteReader(stored);
    int format = in.u8();
    if (format != FORMAT && format != FORMAT_ERASED) {
      throw new DamagedException(
          "an audit entry in format " + format + "; this release reads format " + FORMAT);
    }
    AuditEntry entry =
        new AuditEntry(
            in.varint(),
            new HybridTime(in.varint()),
            in.text(),
            in.text(),
            in.text(),
            in.text(),
            JsonCodec.read(in));
    in.raw(HASH_BYTES);
    in.expectEnd();
    return entry;
  }

  public static byte[] hash(byte[] previous, byte[] body) {
    return Hashes.of(previous, body);
  }
}
