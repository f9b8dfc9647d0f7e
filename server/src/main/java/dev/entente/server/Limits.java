// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import java.util.concurrent.TimeUnit;

/** The bounds on what clients may send and ask for; documented in the OpenAPI file. */
final class Limits {
  static final int BODY_BYTES_MAX = 8 << 20;

  /** How much of a body that is too large is read on and thrown away. */
  static final int BODY_BYTES_READ_MAX = 64 << 20;

  static final int BODY_GRACE_MILLIS = 2_000;
  static final int BODY_BYTES_PER_SECOND_MIN = 100;

  /** How long a page of a search looks for what is wanted; then it says where to go on. */
  static final long SEARCH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  static final int EVENTS_MAX = 1_000;
  static final int PAGE_DEFAULT = 100;
  static final int PAGE_MAX = 1_000;
  static final int WAIT_SECONDS_MAX = 60;
  static final int KEY_MAX = 200;
  static final int STREAMS_MAX = 200;

  private Limits() {}
}
