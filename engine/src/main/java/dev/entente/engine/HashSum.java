// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.engine.codec.Keys;
import java.math.BigInteger;
import java.util.HexFormat;

/**
 * A sum over versions, whatever their order: of each, SHA-256 over its position and its hash, added
 * modulo 2^256. It stands in the chained audit log, so that what is missing from the log can be
 * compared with what was said to be let go.
 *
 * <p>Source: Bellare and Micciancio, <i>A new paradigm for collision-free hashing: incrementality
 * at reduced cost</i>, 1997 (AdHash). Only what this node let go itself is summed.
 */
final class HashSum {
  static final String COUNT = "versions";
  static final String SUM = "sum";
  private static final int BYTES = 32;
  private static final BigInteger MODULUS = BigInteger.ONE.shiftLeft(8 * BYTES);

  private BigInteger sum = BigInteger.ZERO;
  private long count;

  void add(long position, byte[] hash) {
    add(new BigInteger(1, Hashes.of(Keys.of(position), hash)), 1);
  }

  void add(HashSum other) {
    add(other.sum, other.count);
  }

  /** Adds what an audit entry says. */
  void add(String hex, long versions) {
    add(new BigInteger(hex, 16), versions);
  }

  private void add(BigInteger more, long versions) {
    sum = sum.add(more).mod(MODULUS);
    count += versions;
  }

  long count() {
    return count;
  }

  String hex() {
    byte[] bytes = new byte[BYTES];
    byte[] digits = sum.toByteArray();
    int length = Math.min(BYTES, digits.length);
    System.arraycopy(digits, digits.length - length, bytes, BYTES - length, length);
    return HexFormat.of().formatHex(bytes);
  }

  boolean isSameAs(HashSum other) {
    return count == other.count && sum.equals(other.sum);
  }
}
