import type { FastifyRequest } from 'fastify';
import type { BodyPart } from './endpoint.js';

/** The parts of a multipart body, in the order in which they come. */
export async function* bodyParts(request: FastifyRequest, fileBytes: number): AsyncGenerator<BodyPart> {
  if (!request.isMultipart()) return;
  // `expires_after[anchor]` and the like come as fields with flat names
  for await (const part of request.parts({ limits: { fileSize: fileBytes, fieldSize: 1 << 20, files: 1 } })) {
    yield part.type === 'file'
      ? { kind: 'file', name: part.fieldname, filename: part.filename, stream: part.file }
      : { kind: 'field', name: part.fieldname, value: String(part.value) };
  }
}
