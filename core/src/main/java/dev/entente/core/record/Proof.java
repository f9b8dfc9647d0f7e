// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

/**
 * Who vouches for a version, and their signature of it (Ed25519, RFC 8032). What is signed is the
 * version in its binary form without the proof.
 *
 * @param signer the public key
 * @param first the first half of the signature, R
 * @param second its second half, S
 */
public record Proof(Fingerprint signer, Fingerprint first, Fingerprint second) {}
