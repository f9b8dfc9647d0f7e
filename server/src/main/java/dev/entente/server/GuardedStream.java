// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * What is sent for as long as whoever asked may have it; looked at every few seconds. Not
 * thread-safe.
 */
final class GuardedStream extends FilterOutputStream {
  private static final long LOOKS_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final BooleanSupplier allowed;
  private final LongSupplier nanos;
  private long lookedNanos;

  GuardedStream(OutputStream out, BooleanSupplier allowed, LongSupplier nanos) {
    super(out);
    this.allowed = allowed;
    this.nanos = nanos;
    this.lookedNanos = nanos.getAsLong();
  }

  private void look() throws IOException {
    long now = nanos.getAsLong();
    if (now - lookedNanos > LOOKS_NANOS) {
      lookedNanos = now;
      if (!allowed.getAsBoolean()) {
        throw new IOException("whoever asked for this may not have it any more");
      }
    }
  }

  @Override
  public void write(int one) throws IOException {
    look();
    out.write(one);
  }

  @Override
  public void write(byte[] bytes, int from, int length) throws IOException {
    look();
    out.write(bytes, from, length);
  }
}
