// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256. */
public final class Hashes {
  /** Asking the providers for a digest costs more than hashing a small entry; a copy is cheap. */
  private static final MessageDigest SHA_256 = sha256();

  private Hashes() {}

  /** A digest for what comes piece by piece. */
  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** The hash of parts, one after another. */
  public static byte[] of(byte[]... parts) {
    try {
      MessageDigest digest = (MessageDigest) SHA_256.clone();
      for (byte[] part : parts) {
        digest.update(part);
      }
      return digest.digest();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("the platform's SHA-256 can be copied", e);
    }
  }

  /** The first eight bytes of the hash of parts, as a number. */
  public static long prefix(byte[]... parts) {
    return new ByteReader(of(parts)).u64();
  }

  /** The hash of bytes, in hexadecimal digits. */
  public static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(of(bytes));
  }
}
