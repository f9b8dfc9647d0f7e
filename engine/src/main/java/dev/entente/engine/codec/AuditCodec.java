// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.codec;

import dev.entente.core.causality.HybridTime;
import dev.entente.engine.AuditEntry;
import dev.entente.engine.Hashes;
import dev.entente.engine.codec.ByteReader.DamagedException;

/**
 * Audit entries as bytes, format 1: the body, then the hash over the previous entry's hash and the
 * body.
 */
public final class AuditCodec {
  public static final int HASH_BYTES = 32;
  private static final int FORMAT = 1;

  private AuditCodec() {}

  public static byte[] body(AuditEntry entry) {
    ByteWriter out = new ByteWriter();
    out.u8(FORMAT).varint(entry.sequence()).varint(entry.time().packed());
    out.text(entry.tenant()).text(entry.actor()).text(entry.action()).text(entry.subject());
    JsonCodec.write(out, entry.detail());
    return out.toBytes();
  }

  public static AuditEntry fromBytes(byte[] stored) {
    ByteReader in = new ByteReader(stored);
    int format = in.u8();
    if (format != FORMAT) {
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
