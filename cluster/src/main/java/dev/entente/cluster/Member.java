// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;

/**
 * A node of the cluster, as somebody told at a time.
 *
 * @param url where the others reach it; empty where they cannot
 * @param stampMillis when it said so itself, by its clock; what was said later holds
 * @param departed whether it was removed since; told for display, see {@link Removal}
 * @param sinceMillis when it joined, by its clock then
 */
public record Member(
    NodeId node, String url, long stampMillis, boolean departed, long sinceMillis) {
  /** The longest URL that is taken. */
  static final int URL_MAX = 500;

  public Member {
    if (url.length() > URL_MAX) {
      throw new IllegalArgumentException("a member's URL has at most " + URL_MAX + " characters");
    }
  }

  /**
   * Why nothing can be asked at a URL that another node tells; empty where it can. A node without a
   * URL is asked by nobody.
   */
  public static Optional<String> problemWithUrl(String url) {
    if (url.isEmpty()) {
      return Optional.empty();
    }
    try {
      URI uri = new URI(url);
      boolean isHttp = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      return isHttp
              && uri.getRawAuthority() != null
              && uri.getRawAuthority().indexOf('@') < 0
              && uri.getRawQuery() == null
              && uri.getRawFragment() == null
          ? Optional.empty()
          : Optional.of("a node is reached at http:// or https:// and a host, not at " + url);
    } catch (URISyntaxException e) {
      return Optional.of("a node is not reached at what is no URL: " + e.getMessage());
    }
  }

  /** The same, as of another opinion on whether it was removed. */
  Member departed(boolean removed) {
    return removed == departed ? this : new Member(node, url, stampMillis, removed, sinceMillis);
  }

  /** Of two tellings about one node, the one that holds: the later. */
  Member or(Member other) {
    if (stampMillis != other.stampMillis) {
      return stampMillis > other.stampMillis ? this : other;
    }
    return url.compareTo(other.url) >= 0 ? this : other;
  }
}
