// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.codec.Keys;
import java.math.BigInteger;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/**
 * A sum over versions or audit entries, whatever their order: of each, SHA-256 over its position
 * and its hash, added modulo 2^256. It stands in the chained audit log, so that what is missing can
 * be compared with what was said to be let go.
 *
 * <p>Source: Bellare and Micciancio, <i>A new paradigm for collision-free hashing: incrementality
 * at reduced cost</i>, 1997 (AdHash). Only what this node let go itself is summed.
 */
final class HashSum {
  private static final String COUNT = "versions";
  private static final String SUM = "sum";
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

  /** The sum that the detail of an audit entry tells; empty where it tells none. */
  static Optional<HashSum> in(JsonObject detail) {
    if (!(detail.get(SUM) instanceof JsonString(String hex))
        || !(detail.get(COUNT) instanceof JsonNumber count)) {
      return Optional.empty();
    }
    HashSum sum = new HashSum();
    sum.add(new BigInteger(hex, 16), count.longValue());
    return Optional.of(sum);
  }

  /** Tells the sum in the detail of an audit entry. */
  void tell(Map<String, Json> detail) {
    detail.put(COUNT, Json.of(count));
    detail.put(SUM, Json.of(hex()));
  }

  private void add(BigInteger more, long versions) {
    sum = sum.add(more).mod(MODULUS);
    count += versions;
  }

  long count() {
    return count;
  }

  private String hex() {
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
