// What our bot may send to Slack, by the types that Slack publishes.
import type { ViewResponseAction } from '@slack/bolt';
import type { KnownBlock, PlainTextOption } from '@slack/types';
import type {
  AppsManifestValidateArguments,
  ChatDeleteArguments,
  ChatPostEphemeralArguments,
  ChatPostMessageArguments,
  ChatUpdateArguments,
  FilesCompleteUploadExternalArguments,
  FilesGetUploadURLExternalArguments,
  ViewsOpenArguments,
  ViewsPublishArguments,
  ViewsUpdateArguments,
} from '@slack/web-api';

export type PostMessage = ChatPostMessageArguments;
export type PostEphemeral = ChatPostEphemeralArguments;
export type Update = ChatUpdateArguments;
export type Delete = ChatDeleteArguments;
export interface Respond {
  response_type?: 'in_channel' | 'ephemeral';
  replace_original?: boolean;
  delete_original?: boolean;
  text: string;
  blocks?: KnownBlock[];
  thread_ts?: string;
  unfurl_links?: boolean;
  unfurl_media?: boolean;
}
export type ViewResponse = ViewResponseAction;
export type GetUploadURL = FilesGetUploadURLExternalArguments;
export type CompleteUpload = FilesCompleteUploadExternalArguments;
export type OpenView = ViewsOpenArguments;
export type UpdateView = ViewsUpdateArguments;
export type PublishView = ViewsPublishArguments;
export type Suggestions = { options: PlainTextOption[] };
export type AppManifest = AppsManifestValidateArguments['manifest'];
