// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import java.net.URI;

/**
 * Who is told where requests spend their time.
 *
 * @param url of a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces
 * @param ratio of how many requests, 0 to 1, where the client does not say itself
 */
public record TraceTarget(String url, double ratio) {
  public TraceTarget {
    if (!url.matches("https?://.+")) {
      throw new IllegalArgumentException(
          url + " is no collector's address, such as http://127.0.0.1:4318/v1/traces");
    }
    URI.create(url);
    if (!(ratio >= 0 && ratio <= 1)) {
      throw new IllegalArgumentException("the ratio of requests that are traced is 0 to 1");
    }
  }
}
