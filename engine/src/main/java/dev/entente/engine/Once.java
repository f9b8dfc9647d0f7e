// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A value that is worked out once, by whoever asks first, and then kept. Thread-safe. */
final class Once<T> implements Supplier<T> {
  private final Supplier<T> source;
  private volatile @Nullable T value;

  Once(Supplier<T> source) {
    this.source = source;
  }

  @Override
  public T get() {
    T known = value;
    return known != null ? known : workedOut();
  }

  private synchronized T workedOut() {
    T known = value;
    if (known == null) {
      known = source.get();
      value = known;
    }
    return known;
  }
}
