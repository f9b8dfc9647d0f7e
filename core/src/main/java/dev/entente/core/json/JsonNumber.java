// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.json;

import java.math.BigDecimal;

/**
 * A JSON number of any precision in its canonical form: no trailing zeros, no negative zero,
 * printed without exponent. The magnitude is bounded so that printing is.
 */
public record JsonNumber(BigDecimal value) implements Json {
  /** Numbers are smaller than 10 to this power; a double's range. */
  public static final int EXPONENT_MAX = 308;

  /** Digits after the decimal point. */
  public static final int SCALE_MAX = 400;

  public JsonNumber {
    value = value.signum() == 0 ? BigDecimal.ZERO : value.stripTrailingZeros();
    if ((long) value.precision() - value.scale() > EXPONENT_MAX + 1 || value.scale() > SCALE_MAX) {
      throw new IllegalArgumentException("number out of range");
    }
  }

  public static JsonNumber of(long value) {
    return new JsonNumber(BigDecimal.valueOf(value));
  }

  public boolean isLong() {
    return isShort() || isWideLong();
  }

  private boolean isShort() {
    return value.scale() == 0 && value.precision() <= 18;
  }

  private boolean isWideLong() {
    return value.scale() <= 0
        && value.precision() - value.scale() <= 19
        && value.toBigInteger().bitLength() <= 63;
  }

  /** The value as a long; only where {@link #isLong}. */
  public long longValue() {
    return value.longValueExact();
  }

  @Override
  public String toString() {
    return value.toPlainString();
  }
}
