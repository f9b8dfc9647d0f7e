// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import java.nio.ByteBuffer;
import java.util.Comparator;

/** A cryptographic hash of 256 bits (SHA-256), as a value. */
public record Fingerprint(long first, long second, long third, long fourth)
    implements Comparable<Fingerprint> {
  /** How many bytes it takes. */
  public static final int BYTES = 4 * Long.BYTES;

  private static final Comparator<Fingerprint> ORDER =
      Comparator.comparingLong(Fingerprint::first)
          .thenComparingLong(Fingerprint::second)
          .thenComparingLong(Fingerprint::third)
          .thenComparingLong(Fingerprint::fourth);

  /** The fingerprint that 32 bytes hold. */
  public static Fingerprint of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("a fingerprint has 32 bytes, not " + bytes.length);
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return new Fingerprint(in.getLong(), in.getLong(), in.getLong(), in.getLong());
  }

  /** The 32 bytes; see {@link #of}. */
  public byte[] toBytes() {
    return ByteBuffer.allocate(BYTES)
        .putLong(first)
        .putLong(second)
        .putLong(third)
        .putLong(fourth)
        .array();
  }

  @Override
  public int compareTo(Fingerprint other) {
    return ORDER.compare(this, other);
  }
}
