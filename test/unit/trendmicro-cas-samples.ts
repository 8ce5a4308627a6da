/** Items with the documented fields. */

export const message = {
  scan_type: 'Real-time scan',
  affected_user: 'ann@example.com',
  location: 'https://example-my.sharepoint.com/personal/ann/Documents',
  detection_time: '2020-07-19T22:51:30.000Z',
  triggered_policy_name: 'Default OneDrive Policy',
  triggered_security_filter: 'File Blocking',
  action: 'Quarantine',
  action_result: 'success',
  file_name: 'invoice.exe',
  file_upload_time: '2020-07-19T22:51:20.000Z',
  file_sha1: 'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709',
  security_risk_name: 'EXE file',
  detected_by: '',
  risk_level: '',
  log_item_id: 'a9e2',
}
export const documented = { event: 'security_risk_scan', log_item_id: 'a9e2', service: 'OneDrive', message }

export const mail = {
  event: 'security_risk_scan',
  log_item_id: 'IwUV',
  service: 'Exchange Online',
  message: {
    scan_type: 'Real-time scan',
    affected_user: 'bob@example.com',
    location: 'bob@example.com\\Junk Email',
    detection_time: '2018-09-25T02:43:31Z',
    triggered_policy_name: 'a=b',
    triggered_security_filter: 'Web Reputation',
    action: 'Quarantine',
    action_result: 'success',
    threat_type: 'Phishing',
    mail_message_id: '<1@example.com>',
    mail_message_sender: 'eve@example.net',
    mail_message_recipient: ['bob@example.com', 'ann@example.com'],
    mail_message_submit_time: '2018-09-25T02:43:21',
    mail_message_delivery_time: '2018-09-25T02:43:05',
    mail_message_subject: 'FW: test\nBcc: all',
    mail_message_file_name: 'filename.exe',
  },
}
