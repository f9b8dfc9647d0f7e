// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.helidon.http.http2.Http2ErrorCode;
import io.helidon.http.http2.Http2Exception;

/**
 * Counts the HTTP/2 frames of a connection that carry no request: they cost their sender nine bytes
 * and this node an answer, a lookup or a list entry. Called by the web framework's connection, as
 * {@link FrameMend} has it.
 */
public final class FrameLimit {
  /** Such frames of one connection within a period; a client that reads fast sends hundreds. */
  static final int FRAMES_MAX = 5_000;

  private static final long PERIOD_NANOS = 10_000_000_000L;

  /** By the connection itself, for as long as there is one. */
  private static final Cache<Object, Window> WINDOWS = Caffeine.newBuilder().weakKeys().build();

  private FrameLimit() {}

  /** Used by the one thread that reads a connection. */
  private static final class Window {
    private long sinceNanos = System.nanoTime();
    private int frames;

    boolean isFull() {
      long now = System.nanoTime();
      if (now - sinceNanos > PERIOD_NANOS) {
        sinceNanos = now;
        frames = 0;
      }
      return ++frames > FRAMES_MAX;
    }
  }

  /**
   * Counts a frame.
   *
   * @throws Http2Exception where it is one too many; the connection ends
   */
  public static void count(Object connection) {
    if (WINDOWS.get(connection, _ -> new Window()).isFull()) {
      throw new Http2Exception(Http2ErrorCode.ENHANCE_YOUR_CALM, "too many frames");
    }
  }
}
