// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Somebody who wants to be told, and of what.
 *
 * @param url an https or http address that takes a POST, or {@code mailto:} and an address
 * @param secret under which each message is signed
 * @param events what of; empty for everything
 * @param tenant of which tenant, or {@code *} for all and for what concerns the node
 */
public record Webhook(String name, URI url, String secret, Set<String> events, String tenant) {
  /** What can be told. */
  public static final List<String> EVENTS =
      List.of(
          "alert-raised",
          "alert-cleared",
          "review-opened",
          "review-assigned",
          "review-approved",
          "review-escalated",
          "review-closed",
          "test");

  /** Stands for all tenants, and for what concerns the node. */
  public static final String ALL = "*";

  public Webhook {
    events = new TreeSet<>(events);
  }

  boolean wants(String event, String ofTenant) {
    return (events.isEmpty() || events.contains(event) || event.equals("test"))
        && (tenant.equals(ALL) || tenant.equals(ofTenant));
  }

  @Override
  public String toString() {
    return "Webhook[" + name + " " + url + "]";
  }
}
