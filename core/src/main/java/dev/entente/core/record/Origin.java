// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

/**
 * Which request a version was accepted for. Together with the version's event id this tells, on
 * every node, a request that was accepted twice from two requests.
 *
 * @param sender who gives out the event ids: a hash of the tenant, the credential and, where one
 *     was named, the author's device; two devices of the same name under other authors or
 *     credentials differ
 * @param request a hash of the whole request
 */
public record Origin(Fingerprint sender, Fingerprint request) {}
