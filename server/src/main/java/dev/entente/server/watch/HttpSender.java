// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webclient.api.HttpClientRequest;
import io.helidon.webclient.api.HttpClientResponse;
import io.helidon.webclient.api.WebClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Map;

/**
 * Posts messages to addresses that users chose. An address inside the network that the node is in
 * is refused, unless the operator lets it be: it is looked at after its name was resolved, and that
 * very address is then connected to. Redirections are not followed, and answers are not read.
 * Thread-safe.
 */
public final class HttpSender implements Webhooks.Sender {
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration READ = Duration.ofSeconds(10);

  private final boolean inside;
  private final WebClient http;

  /**
   * @param inside whether addresses inside this network may be told
   */
  public HttpSender(boolean inside) {
    this.inside = inside;
    this.http =
        WebClient.builder()
            .connectTimeout(CONNECT)
            .readTimeout(READ)
            .followRedirects(false)
            .keepAlive(false)
            .shareConnectionCache(false)
            .dnsResolver((host, _) -> resolved(host, inside))
            .build();
  }

  private static InetAddress resolved(String host, boolean inside) {
    try {
      InetAddress address = InetAddress.getByName(host);
      if (!inside && isInside(address)) {
        throw new UncheckedIOException(
            new IOException(
                host
                    + " is "
                    + address.getHostAddress()
                    + ", inside this network; serve with --webhooks-inside to allow that"));
      }
      return address;
    } catch (UnknownHostException e) {
      throw new UncheckedIOException("nobody knows " + host, e);
    }
  }

  /** Whether an address is one that strangers must not reach through this node. */
  static boolean isInside(InetAddress address) {
    byte[] bytes = address.getAddress();
    boolean uniqueLocal = address instanceof Inet6Address && (bytes[0] & 0xFE) == 0xFC;
    boolean carrier = bytes.length == 4 && (bytes[0] & 0xFF) == 100 && (bytes[1] & 0xC0) == 64;
    boolean zero = bytes.length == 4 && bytes[0] == 0;
    return address.isLoopbackAddress()
        || address.isLinkLocalAddress()
        || address.isSiteLocalAddress()
        || address.isAnyLocalAddress()
        || address.isMulticastAddress()
        || uniqueLocal
        || carrier
        || zero;
  }

  @Override
  public void send(URI url, Map<String, String> headers, String body) throws IOException {
    try {
      // An address that is no name is perhaps not resolved again.
      InetAddress _ = resolved(url.getHost().replaceAll("[\\[\\]]", ""), inside);
      post(url, headers, body);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (RuntimeException e) {
      throw new IOException(String.valueOf(e.getMessage()), e);
    }
  }

  private void post(URI url, Map<String, String> headers, String body) throws IOException {
    HttpClientRequest request =
        http.post(url.toString()).header(HeaderNames.CONTENT_TYPE, "application/json");
    headers.forEach((name, value) -> request.header(HeaderNames.create(name), value));
    try (HttpClientResponse response = request.submit(body)) {
      if (response.status().family() != Status.Family.SUCCESSFUL) {
        throw new IOException("answered " + response.status().code());
      }
    }
  }
}
